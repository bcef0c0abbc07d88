"""What is under deploy/: the Helm chart, kustomize, the image."""
