"""Lambda functions of the platform. Each module stands alone: it is packed without the rest of the project."""
