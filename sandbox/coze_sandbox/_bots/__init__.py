"""Chats with the scripted bot."""
