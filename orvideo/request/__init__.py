"""What is asked for: options, files and settings made into the body that is sent."""
