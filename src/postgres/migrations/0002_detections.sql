-- What to watch for, and what was found.

CREATE TABLE oscillation_patterns (
  tenant_id               text COLLATE "C" NOT NULL,
  pattern_id              text COLLATE "C" NOT NULL,
  pattern_type            text COLLATE "C" NOT NULL,
  pattern_name            text COLLATE "C" NOT NULL,
  description             text COLLATE "C",
  min_occurrences         bigint NOT NULL,
  time_window_minutes     bigint NOT NULL,
  action_sequence         text COLLATE "C",
  threshold_config        text COLLATE "C",
  resource_types          text COLLATE "C" NOT NULL DEFAULT '[]',
  namespaces              text COLLATE "C" NOT NULL DEFAULT '[]',
  label_selectors         text COLLATE "C",
  prevention_strategy     text COLLATE "C" NOT NULL,
  prevention_parameters   text COLLATE "C",
  alerting_enabled        boolean NOT NULL,
  alert_severity          text COLLATE "C" NOT NULL,
  alert_channels          text COLLATE "C" NOT NULL DEFAULT '[]',
  total_detections        bigint NOT NULL DEFAULT 0,
  prevention_success_rate double precision,
  false_positive_rate     double precision,
  last_detection_at       timestamptz,
  active                  boolean NOT NULL,
  PRIMARY KEY (tenant_id, pattern_id)
);

CREATE TABLE oscillation_detections (
  tenant_id             text COLLATE "C" NOT NULL,
  detection_id          text COLLATE "C" NOT NULL,
  pattern_id            text COLLATE "C" NOT NULL,
  pattern_type          text COLLATE "C" NOT NULL,
  scope                 text COLLATE "C" NOT NULL,  -- "resource:ID", "correlation:ID" or "session:ID"
  resources             text COLLATE "C" NOT NULL,  -- ids of all resources involved
  detected_at           timestamptz NOT NULL,       -- the as_of of the decision
  confidence            double precision NOT NULL,
  severity              text COLLATE "C" NOT NULL,
  sub_kind              text COLLATE "C",
  action_count          bigint NOT NULL,
  time_span_minutes     bigint NOT NULL,
  matching_actions      text COLLATE "C" NOT NULL,  -- action ids, oldest first
  pattern_evidence      text COLLATE "C",
  first_at              timestamptz NOT NULL,
  last_at               timestamptz NOT NULL,
  prevention_applied    boolean NOT NULL,
  prevention_action     text COLLATE "C",
  in_force_until        timestamptz,
  refusals              bigint NOT NULL DEFAULT 0,
  refused_ids           text COLLATE "C" NOT NULL DEFAULT '[]',
  prevention_successful boolean,
  resolved_at           timestamptz,
  resolution_method     text COLLATE "C",
  resolution_notes      text COLLATE "C",
  PRIMARY KEY (tenant_id, detection_id)
);
CREATE INDEX detections_scope ON oscillation_detections (tenant_id, scope, detected_at);
CREATE INDEX detections_time ON oscillation_detections (tenant_id, detected_at);
CREATE INDEX detections_in_force ON oscillation_detections (tenant_id, in_force_until)
  WHERE resolved_at IS NULL;
