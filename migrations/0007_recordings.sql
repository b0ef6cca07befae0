CREATE TABLE `recording_retries` (
	`workspace` text NOT NULL,
	`call` integer NOT NULL,
	`tries` integer NOT NULL,
	`next_at` integer NOT NULL,
	PRIMARY KEY(`workspace`, `call`)
);
--> statement-breakpoint
CREATE INDEX `recording_retries_due` ON `recording_retries` (`workspace`,`next_at`);--> statement-breakpoint
ALTER TABLE `workspaces` ADD `recordings_call` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `workspaces` ADD `recordings_at` integer DEFAULT 0 NOT NULL;