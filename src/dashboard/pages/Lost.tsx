import { ButtonLink } from "../ui/links.tsx";
import { Empty } from "../ui/states.tsx";

export function Lost() {
  return (
    <main>
      <Empty title="There is no such page">
        <ButtonLink to="/" variant="default">
          To the campaigns
        </ButtonLink>
      </Empty>
    </main>
  );
}
