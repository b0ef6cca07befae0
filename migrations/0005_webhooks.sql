CREATE TABLE `deliveries` (
	`workspace` text NOT NULL,
	`target` text NOT NULL,
	`sequence` integer NOT NULL,
	`event` text NOT NULL,
	`type` text NOT NULL,
	`task` integer,
	`call` integer,
	`url` text NOT NULL,
	`body` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`created_at` integer NOT NULL,
	`since` integer NOT NULL,
	`last_at` integer,
	`next_at` integer,
	`code` integer,
	`answer` text,
	`took_ms` integer,
	PRIMARY KEY(`workspace`, `target`, `sequence`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `deliveries_due` ON `deliveries` (`workspace`,`target`,`next_at`) WHERE next_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `deliveries_failed` ON `deliveries` (`workspace`,`target`,`sequence`) WHERE status = 'failed';--> statement-breakpoint
CREATE TABLE `receivers` (
	`workspace` text NOT NULL,
	`target` text NOT NULL,
	`failing_since` integer,
	`failures` integer NOT NULL,
	`due_at` integer,
	PRIMARY KEY(`workspace`, `target`)
);
--> statement-breakpoint
CREATE INDEX `receivers_due` ON `receivers` (`due_at`) WHERE due_at IS NOT NULL;
--> statement-breakpoint
CREATE TABLE `webhooks` (
	`id` text PRIMARY KEY NOT NULL,
	`workspace` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`deleted_at` integer,
	`name` text NOT NULL,
	`url` text NOT NULL,
	`events` text NOT NULL,
	`texts` integer NOT NULL,
	`shape` text NOT NULL,
	`sealed` text NOT NULL,
	`sealed_old` text,
	`old_until` integer,
	`off_at` integer,
	`off_reason` text
);
--> statement-breakpoint
CREATE INDEX `webhooks_by_version` ON `webhooks` (`workspace`,`version`);
--> statement-breakpoint
DROP VIEW `copies`;
--> statement-breakpoint
DROP VIEW `copies_of_calling`;
--> statement-breakpoint
CREATE VIEW `copies_of_calling` AS
SELECT `workspace`, 'connection' AS `kind`, `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'name', `name`, 'carrier', `carrier`, 'sealed', `sealed`, 'lengthMaxMs', `length_max_ms`, 'perSecond', `per_thousand_seconds` / 1000.0, 'callsMax', `calls_max`) END AS `doc` FROM `connections`
UNION ALL
SELECT `workspace`, 'agent', `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'name', `name`, 'connection', `connection`, 'carrierAgentId', `carrier_agent_id`, 'prompt', `prompt`, 'placeholders', json(`placeholders`), 'outcomes', json(`outcomes`), 'usesCallback', json(CASE `uses_callback` WHEN 1 THEN 'true' ELSE 'false' END), 'settings', json(`settings`)) END FROM `agents`
UNION ALL
SELECT `workspace`, 'number', `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'phone', `phone`, 'connection', `connection`, 'carrierNumberId', `carrier_number_id`) END FROM `numbers`
UNION ALL
SELECT `workspace`, 'webhook', `id`, `version`, CASE WHEN `deleted_at` IS NULL AND `off_at` IS NULL THEN json_object('id', `id`, 'events', json(`events`)) END FROM `webhooks`;
--> statement-breakpoint
CREATE VIEW `copies` AS
SELECT `id` AS `workspace`, 'workspace' AS `kind`, `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'name', `name`, 'slots', `slots`, 'timezone', `timezone`, 'hours', json_object('opensMin', `opens_min`, 'closesMin', `closes_min`), 'days', `days`, 'agent', `agent`, 'from', `from_number`) END AS `doc` FROM `workspaces`
UNION ALL
SELECT `workspace`, 'key', `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'name', `name`, 'hash', `hash`, 'scopes', json(`scopes`), 'expiresAt', `expires_at`, 'campaign', `campaign`) END FROM `keys`
UNION ALL
SELECT `workspace`, 'suppression', `phone`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('expiresAt', `expires_at`) END FROM `suppressions`
UNION ALL
SELECT `workspace`, `kind`, `id`, `version`, `doc` FROM `copies_of_calling`;
