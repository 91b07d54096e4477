"""The HTTP service."""

PACKAGES = ("faiss", "fastapi", "uvicorn", "httpx", "prometheus_client")
"""What it needs of requirements-serve.lock"""
