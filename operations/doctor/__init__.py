"""Doctor: what this machine or the AWS account lacks before a deployment. It changes nothing."""
