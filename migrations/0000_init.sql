CREATE TABLE `agents` (
	`id` text PRIMARY KEY NOT NULL,
	`workspace` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`deleted_at` integer,
	`name` text NOT NULL,
	`connection` text NOT NULL,
	`carrier_agent_id` text NOT NULL,
	`prompt` text,
	`placeholders` text NOT NULL,
	`outcomes` text NOT NULL,
	`uses_callback` integer NOT NULL,
	`settings` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `agents_by_version` ON `agents` (`workspace`,`version`);--> statement-breakpoint
CREATE TABLE `call_texts` (
	`workspace` text NOT NULL,
	`call` integer NOT NULL,
	`transcript` text,
	`analysis` text,
	PRIMARY KEY(`workspace`, `call`)) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `calls` (
	`workspace` text NOT NULL,
	`id` integer NOT NULL,
	`task` integer NOT NULL,
	`campaign` integer NOT NULL,
	`attempt` integer NOT NULL,
	`status` text NOT NULL,
	`concluded` integer NOT NULL,
	`agent` text NOT NULL,
	`connection` text NOT NULL,
	`carrier` text NOT NULL,
	`carrier_call_id` text,
	`from_phone` text NOT NULL,
	`to_phone` text NOT NULL,
	`claimed_at` integer NOT NULL,
	`placed_at` integer,
	`ringing_at` integer,
	`answered_at` integer,
	`ended_at` integer,
	`talk_ms` integer,
	`outcome` text,
	`word` text,
	`reported` text,
	`callback_at` integer,
	`cost_micros` integer,
	`currency` text,
	`recording_url` text,
	`version` integer NOT NULL,
	PRIMARY KEY(`workspace`, `id`)) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `calls_by_task` ON `calls` (`workspace`,`task`);--> statement-breakpoint
CREATE INDEX `calls_by_carrier` ON `calls` (`connection`,`carrier_call_id`);--> statement-breakpoint
CREATE TABLE `campaigns` (
	`workspace` text NOT NULL,
	`id` integer NOT NULL,
	`name` text NOT NULL,
	`type` text NOT NULL,
	`status` text NOT NULL,
	`settings` text NOT NULL,
	`paused` integer NOT NULL,
	`epoch` integer NOT NULL,
	`starts_at` integer,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`completed_at` integer,
	`archived_at` integer,
	`counters` text NOT NULL,
	`version` integer NOT NULL,
	PRIMARY KEY(`workspace`, `id`)) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `connections` (
	`id` text PRIMARY KEY NOT NULL,
	`workspace` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`deleted_at` integer,
	`name` text NOT NULL,
	`carrier` text NOT NULL,
	`sealed` text NOT NULL,
	`length_max_ms` integer NOT NULL,
	`per_thousand_seconds` integer,
	`calls_max` integer
);
--> statement-breakpoint
CREATE INDEX `connections_by_version` ON `connections` (`workspace`,`version`);--> statement-breakpoint
CREATE TABLE `import_chunks` (
	`import` text NOT NULL,
	`part` integer NOT NULL,
	`rows` integer NOT NULL,
	`body` text NOT NULL,
	PRIMARY KEY(`import`, `part`)) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `import_rejects` (
	`import` text NOT NULL,
	`first_line` integer NOT NULL,
	`created_at` integer NOT NULL,
	`rows` text NOT NULL,
	PRIMARY KEY(`import`, `first_line`)) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `import_rejects_by_age` ON `import_rejects` (`created_at`);--> statement-breakpoint
CREATE TABLE `imports` (
	`id` text PRIMARY KEY NOT NULL,
	`workspace` text NOT NULL,
	`campaign` integer NOT NULL,
	`file_name` text,
	`status` text NOT NULL,
	`options` text NOT NULL,
	`header` text NOT NULL,
	`missing_placeholders` text NOT NULL,
	`warnings` text NOT NULL,
	`rows` integer NOT NULL,
	`rows_read` integer NOT NULL,
	`rows_taken` integer NOT NULL,
	`parts` integer NOT NULL,
	`parts_done` integer NOT NULL,
	`rejected` text NOT NULL,
	`note` text,
	`created_at` integer NOT NULL,
	`progress_at` integer NOT NULL,
	`completed_at` integer
);
--> statement-breakpoint
CREATE INDEX `imports_by_campaign` ON `imports` (`workspace`,`campaign`,`id`);--> statement-breakpoint
CREATE INDEX `imports_by_status` ON `imports` (`status`,`progress_at`);--> statement-breakpoint
CREATE TABLE `keys` (
	`id` text PRIMARY KEY NOT NULL,
	`workspace` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`deleted_at` integer,
	`name` text NOT NULL,
	`prefix` text NOT NULL,
	`hash` text NOT NULL,
	`scopes` text NOT NULL,
	`expires_at` integer
);
--> statement-breakpoint
CREATE INDEX `keys_by_version` ON `keys` (`workspace`,`version`);--> statement-breakpoint
CREATE TABLE `numbers` (
	`id` text PRIMARY KEY NOT NULL,
	`workspace` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`deleted_at` integer,
	`phone` text NOT NULL,
	`name` text,
	`connection` text NOT NULL,
	`carrier_number_id` text
);
--> statement-breakpoint
CREATE INDEX `numbers_by_version` ON `numbers` (`workspace`,`version`);--> statement-breakpoint
CREATE TABLE `report_bodies` (
	`id` text PRIMARY KEY NOT NULL,
	`workspace` text NOT NULL,
	`created_at` integer NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `suppressions` (
	`workspace` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`deleted_at` integer,
	`phone` text NOT NULL,
	`reason` text,
	`source` text NOT NULL,
	`expires_at` integer,
	PRIMARY KEY(`workspace`, `phone`)) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `suppressions_by_version` ON `suppressions` (`workspace`,`version`);--> statement-breakpoint
CREATE TABLE `tasks` (
	`workspace` text NOT NULL,
	`id` integer NOT NULL,
	`campaign` integer NOT NULL,
	`import` text,
	`phone` text NOT NULL,
	`context` text NOT NULL,
	`settings` text,
	`ended` text,
	`held` integer,
	`attempts` integer NOT NULL,
	`last_outcome` text,
	`due_at` integer,
	`external_id` text,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`version` integer NOT NULL,
	PRIMARY KEY(`workspace`, `id`)) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `tasks_by_campaign` ON `tasks` (`workspace`,`campaign`,`id`);--> statement-breakpoint
CREATE TABLE `workspaces` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`slots` integer NOT NULL,
	`timezone` text NOT NULL,
	`opens_min` integer NOT NULL,
	`closes_min` integer NOT NULL,
	`days` integer NOT NULL,
	`agent` text,
	`from_number` text,
	`config_version` integer NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL
);

--> statement-breakpoint
-- H29: what a task's status is, from its own row, its open call and its campaign, in this order.
CREATE VIEW `task_view` AS
SELECT t.*, CASE
  WHEN t.`ended` IS NOT NULL THEN t.`ended`
  WHEN EXISTS (SELECT 1 FROM `calls` k WHERE k.`workspace` = t.`workspace` AND k.`task` = t.`id` AND k.`concluded` = 0) THEN 'running'
  WHEN c.`archived_at` IS NOT NULL OR c.`completed_at` IS NOT NULL THEN 'archived'
  WHEN c.`paused` = 1 OR t.`held` = c.`epoch` THEN 'paused'
  ELSE 'queued' END AS `status`
FROM `tasks` t LEFT JOIN `campaigns` c ON c.`workspace` = t.`workspace` AND c.`id` = t.`campaign`;
--> statement-breakpoint
-- Everything set up in a workspace, in the shape of the Dialer's copies. Two views, since D1 takes five terms in one.
CREATE VIEW `copies_of_calling` AS
SELECT `workspace`, 'connection' AS `kind`, `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'name', `name`, 'carrier', `carrier`, 'sealed', `sealed`, 'lengthMaxMs', `length_max_ms`, 'perSecond', `per_thousand_seconds` / 1000.0, 'callsMax', `calls_max`) END AS `doc` FROM `connections`
UNION ALL
SELECT `workspace`, 'agent', `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'name', `name`, 'connection', `connection`, 'carrierAgentId', `carrier_agent_id`, 'prompt', `prompt`, 'placeholders', json(`placeholders`), 'outcomes', json(`outcomes`), 'usesCallback', json(CASE `uses_callback` WHEN 1 THEN 'true' ELSE 'false' END), 'settings', json(`settings`)) END FROM `agents`
UNION ALL
SELECT `workspace`, 'number', `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'phone', `phone`, 'connection', `connection`, 'carrierNumberId', `carrier_number_id`) END FROM `numbers`;
--> statement-breakpoint
CREATE VIEW `copies` AS
SELECT `id` AS `workspace`, 'workspace' AS `kind`, `id`, `version`, json_object('id', `id`, 'name', `name`, 'slots', `slots`, 'timezone', `timezone`, 'hours', json_object('opensMin', `opens_min`, 'closesMin', `closes_min`), 'days', `days`, 'agent', `agent`, 'from', `from_number`) AS `doc` FROM `workspaces`
UNION ALL
SELECT `workspace`, 'key', `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'name', `name`, 'hash', `hash`, 'scopes', json(`scopes`), 'expiresAt', `expires_at`) END FROM `keys`
UNION ALL
SELECT `workspace`, 'suppression', `phone`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('expiresAt', `expires_at`) END FROM `suppressions`
UNION ALL
SELECT `workspace`, `kind`, `id`, `version`, `doc` FROM `copies_of_calling`;
