"""What every operation needs: models, arguments, requests, answers, pages and streams.

Hand-written in `generator/runtime` and copied here by the generator.
"""
