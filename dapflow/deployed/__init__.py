"""What is deployed to AWS of an environment and of the branches that it hosts, and the roles that build these."""
