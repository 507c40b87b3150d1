"""Tests of the DeepSeek client."""
