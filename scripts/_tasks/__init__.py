"""What the scripts do once they run inside the environment."""
