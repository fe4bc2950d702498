"""The local twin: the synthesised templates deployed on this machine, with real Flink and OpenSearch."""
