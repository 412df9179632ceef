"""What runs inside Triton, as plain functions of arrays, and what builds and checks its models."""
