"""What a replica answers participants over HTTP."""
