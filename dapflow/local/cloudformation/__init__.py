"""What CloudFormation does, for the embedded platform: templates become resources."""
