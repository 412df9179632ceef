"""Speed and memory of the service, measured on one machine: ``make bench``."""
