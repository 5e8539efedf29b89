-- Where new detections of a pattern are posted to.
ALTER TABLE oscillation_patterns ADD COLUMN alert_webhook TEXT;
