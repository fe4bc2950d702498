"""SQL over the raw and the rejected clicks, for analysts: tables, a workgroup, a role."""
