"""What dapflow promises its readers while things go wrong, tried and counted. Run by ``make reliability``."""
