"""Namespace and dimension of our functions' metrics in CloudWatch."""

import os

NAMESPACE = "ClickTrends"
SERVICE_DIMENSION = "service"


def metrics_service(outside_lambda: str) -> str:
    """The value of SERVICE_DIMENSION: the function's name, so that environments of an account differ."""
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", outside_lambda)
