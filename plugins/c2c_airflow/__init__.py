"""What of Case2Code knows Airflow: operators, Params, and running it embedded."""
