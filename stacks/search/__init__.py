"""The OpenSearch domain, what it holds, and what each role may do in it."""
