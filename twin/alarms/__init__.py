"""CloudWatch's alarms in the twin: their metrics, the evaluator's rules, its clock, and what runs them."""
