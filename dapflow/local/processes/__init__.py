"""The processes of the embedded platform: started, recognised, stopped."""
