import { Anchor, type AnchorProps, Button, type ButtonProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, Ref } from "react";

type Html = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof AnchorProps | keyof ButtonProps> & {
  ref?: Ref<HTMLAnchorElement>;
};

/** Links of ours that look like Mantine's. */
export const TextLink = createLink((props: Omit<AnchorProps, "component"> & Html) => (
  <Anchor {...props} />
));
export const ButtonLink = createLink((props: Omit<ButtonProps, "component"> & Html) => (
  <Button component="a" {...props} />
));
