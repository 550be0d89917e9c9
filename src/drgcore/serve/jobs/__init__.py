"""Batches: files that are uploaded, grouped and checked while one waits or does something else."""
