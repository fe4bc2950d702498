"""Where the metrics of our functions stand in CloudWatch."""

NAMESPACE = "ClickTrends"
SERVICE_DIMENSION = "service"
