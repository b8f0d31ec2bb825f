"""The contract as data, and what judges an exchange by it. Imports nothing else of this project."""
