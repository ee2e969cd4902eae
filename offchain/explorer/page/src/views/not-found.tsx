import { Heading } from "../parts/layout";
import { Link } from "../route";

export function NotFound() {
  return (
    <>
      <Heading title="No such page" />
      <p>
        There is nothing at this address. <Link href="/">To the network</Link>
      </p>
    </>
  );
}
