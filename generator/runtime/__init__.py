"""What every operation needs: models, arguments, requests, responses, pages and streams.

Hand-written in `generator/runtime` and copied here by the generator.
"""
