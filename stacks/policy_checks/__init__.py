"""The project's own rules for every stack, checked at synth with cdk-nag: docs/reference/policy_checks.md."""
