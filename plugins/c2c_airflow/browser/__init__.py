"""The dataset browser: a page inside Airflow's UI, and what it asks."""
