"""The HTTP front door: REST for institutions, pages for patients, institutions and auditors."""
