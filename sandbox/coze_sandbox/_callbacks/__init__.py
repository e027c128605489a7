"""Callbacks (webhooks): events, deliveries, retries."""
