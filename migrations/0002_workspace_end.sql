ALTER TABLE `workspaces` ADD `retention_task` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `workspaces` ADD `retention_at` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `workspaces` ADD `removed_at` integer;--> statement-breakpoint
CREATE INDEX `workspaces_by_retention` ON `workspaces` (`retention_at`) WHERE retention_days IS NOT NULL;--> statement-breakpoint
CREATE INDEX `workspaces_to_remove` ON `workspaces` (`deleted_at`) WHERE deleted_at IS NOT NULL AND removed_at IS NULL;--> statement-breakpoint
-- A workspace that has ended is a tombstone, as anything else that was deleted.
DROP VIEW `copies`;
--> statement-breakpoint
CREATE VIEW `copies` AS
SELECT `id` AS `workspace`, 'workspace' AS `kind`, `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'name', `name`, 'slots', `slots`, 'timezone', `timezone`, 'hours', json_object('opensMin', `opens_min`, 'closesMin', `closes_min`), 'days', `days`, 'agent', `agent`, 'from', `from_number`) END AS `doc` FROM `workspaces`
UNION ALL
SELECT `workspace`, 'key', `id`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('id', `id`, 'name', `name`, 'hash', `hash`, 'scopes', json(`scopes`), 'expiresAt', `expires_at`, 'campaign', `campaign`) END FROM `keys`
UNION ALL
SELECT `workspace`, 'suppression', `phone`, `version`, CASE WHEN `deleted_at` IS NULL THEN json_object('expiresAt', `expires_at`) END FROM `suppressions`
UNION ALL
SELECT `workspace`, `kind`, `id`, `version`, `doc` FROM `copies_of_calling`;
