"""Stories retold in the pointer language, for the abstract machine to judge."""
