-- Of a campaign, and of one of its tasks: one index where two would cost each call a row more.
DROP INDEX `calls_by_task`;--> statement-breakpoint
CREATE INDEX `calls_by_campaign` ON `calls` (`workspace`,`campaign`,`task`);
