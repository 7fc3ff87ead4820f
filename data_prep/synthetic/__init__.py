"""Problems made by rule, with their solutions."""
