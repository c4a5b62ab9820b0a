"""Training: a release in the layouts that trainers read, and recipes that train on it."""
