"""Scripted workflows."""
