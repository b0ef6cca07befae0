CREATE TABLE `accounts` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`provider_id` text NOT NULL,
	`person` text NOT NULL,
	`access_token` text,
	`refresh_token` text,
	`id_token` text,
	`access_token_expires_at` integer,
	`refresh_token_expires_at` integer,
	`scope` text,
	`password` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `accounts_by_person` ON `accounts` (`person`);--> statement-breakpoint
CREATE TABLE `attempts` (
	`key` text PRIMARY KEY NOT NULL,
	`count` integer NOT NULL,
	`since` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `attempts_by_age` ON `attempts` (`since`);--> statement-breakpoint
CREATE TABLE `audit` (
	`workspace` text NOT NULL,
	`id` text NOT NULL,
	`at` integer NOT NULL,
	`actor_kind` text NOT NULL,
	`actor` text,
	`action` text NOT NULL,
	`target_kind` text,
	`target` text,
	`before` text,
	`after` text,
	`ip` text,
	`request_id` text,
	PRIMARY KEY(`workspace`, `id`)) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `audit_by_actor` ON `audit` (`workspace`,`actor`,`id`);--> statement-breakpoint
CREATE INDEX `audit_by_target` ON `audit` (`workspace`,`target`,`id`);--> statement-breakpoint
CREATE TABLE `deployment` (
	`id` integer PRIMARY KEY NOT NULL,
	`set_up_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `invitations` (
	`id` text PRIMARY KEY NOT NULL,
	`workspace` text NOT NULL,
	`email` text NOT NULL,
	`role` text NOT NULL,
	`grants` text NOT NULL,
	`hash` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`accepted_at` integer,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `invitations_by_hash` ON `invitations` (`hash`);--> statement-breakpoint
CREATE INDEX `invitations_by_workspace` ON `invitations` (`workspace`,`id`);--> statement-breakpoint
CREATE INDEX `invitations_by_email` ON `invitations` (`email`);--> statement-breakpoint
CREATE TABLE `members` (
	`workspace` text NOT NULL,
	`person` text NOT NULL,
	`role` text NOT NULL,
	`grants` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`workspace`, `person`)) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `members_by_person` ON `members` (`person`);--> statement-breakpoint
CREATE TABLE `people` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`email` text NOT NULL,
	`email_verified` integer NOT NULL,
	`image` text,
	`two_factor_enabled` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `people_email_unique` ON `people` (`email`);--> statement-breakpoint
CREATE TABLE `second_factors` (
	`id` text PRIMARY KEY NOT NULL,
	`secret` text NOT NULL,
	`backup_codes` text NOT NULL,
	`person` text NOT NULL,
	`verified` integer,
	`failed_verification_count` integer,
	`locked_until` integer
);
--> statement-breakpoint
CREATE INDEX `second_factors_by_person` ON `second_factors` (`person`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL,
	`token` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`ip_address` text,
	`user_agent` text,
	`person` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_token_unique` ON `sessions` (`token`);--> statement-breakpoint
CREATE INDEX `sessions_by_person` ON `sessions` (`person`);--> statement-breakpoint
CREATE TABLE `verifications` (
	`id` text PRIMARY KEY NOT NULL,
	`identifier` text NOT NULL,
	`value` text NOT NULL,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `verifications_by_identifier` ON `verifications` (`identifier`);--> statement-breakpoint
ALTER TABLE `keys` ADD `campaign` integer;--> statement-breakpoint
ALTER TABLE `keys` ADD `created_by` text;--> statement-breakpoint
ALTER TABLE `keys` ADD `last_used_at` integer;--> statement-breakpoint
ALTER TABLE `keys` ADD `replaces` text;--> statement-breakpoint
ALTER TABLE `workspaces` ADD `retention_days` integer;--> statement-breakpoint
ALTER TABLE `workspaces` ADD `deleted_at` integer;
--> statement-breakpoint
UPDATE `connections` SET `sealed` = '' WHERE `deleted_at` IS NOT NULL;
--> statement-breakpoint
DROP VIEW `copies`;
--> statement-breakpoint
CREATE VIEW `copies` AS
SELECT `id` AS `workspace`, 'workspace' AS `kind`, `id`, `version`, json_object('id', `id`, 'name', `name`, 'slots', `slots`, 'timezone', `timezone`, 'hours', json_object('opensMin', `opens_min`, 'closesMin', `closes_min`), 'days', `days`, 'agent', `agent`, 'from', `from_number`) AS `doc` FROM `workspaces`
UNION ALL
SELECT `workspace`, 'key', `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'name', `name`, 'hash', `hash`, 'scopes', json(`scopes`), 'expiresAt', `expires_at`, 'campaign', `campaign`) END FROM `keys`
UNION ALL
SELECT `workspace`, 'suppression', `phone`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('expiresAt', `expires_at`) END FROM `suppressions`
UNION ALL
SELECT `workspace`, `kind`, `id`, `version`, `doc` FROM `copies_of_calling`;
