CREATE TABLE `forms` (
	`id` text PRIMARY KEY NOT NULL,
	`workspace` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`deleted_at` integer,
	`name` text NOT NULL,
	`campaign` integer NOT NULL,
	`settings` text NOT NULL,
	`consents` text NOT NULL,
	`sealed` text
);
--> statement-breakpoint
CREATE INDEX `forms_by_workspace` ON `forms` (`workspace`,`id`);--> statement-breakpoint
ALTER TABLE `tasks` ADD `consent` text;