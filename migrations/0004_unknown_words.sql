CREATE TABLE `unknown_words` (
	`id` text PRIMARY KEY NOT NULL,
	`workspace` text NOT NULL,
	`connection` text NOT NULL,
	`word` text NOT NULL,
	`count` integer NOT NULL,
	`last_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `unknown_words_by_connection` ON `unknown_words` (`workspace`,`connection`);