"""The project's own rules for every stack, checked at synth beside cdk-nag: docs/house_rules.md."""
