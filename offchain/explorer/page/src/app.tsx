/** The page around the views: header, notices, footer. */

import type { ComponentType } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Feed } from "./api/feed";
import { FeedContext, useFeed, useFeedState, useQuery } from "./api/hooks";
import type { About } from "./api/types";
import { Footer } from "./chrome/footer";
import { Header } from "./chrome/header";
import { Notices } from "./chrome/notices";
import { Announcer, AnnouncerContext } from "./parts/live";
import { TokenContext } from "./parts/values";
import { usePlace } from "./route";
import { viewAt } from "./views";

const ABOUT_SECONDS = { caughtUp: 30, catchingUp: 2 };

export function App() {
  const feed = useMemo(() => new Feed("/api/stream"), []);
  useEffect(() => {
    feed.open();
    return () => feed.close();
  }, [feed]);
  return (
    <FeedContext.Provider value={feed}>
      <Page />
    </FeedContext.Provider>
  );
}

function useAbout() {
  const feed = useFeed();
  const about = useQuery<About>("/api/about", {
    expires: ({ indexed, node }) =>
      feed.now() + (indexed.caught_up && node.answers ? ABOUT_SECONDS.caughtUp : ABOUT_SECONDS.catchingUp),
  });
  const { data } = about;
  useEffect(() => {
    if (data?.head) feed.seed(data.head, data.final_block);
  }, [data, feed]);
  return about;
}

function Page() {
  const place = usePlace();
  const about = useAbout();
  const state = useFeedState();
  const announcer = useMemo(() => new Announcer(), []);
  const voice = useRef<HTMLDivElement>(null);
  useEffect(() => announcer.attach(voice.current), [announcer]);
  const { View, props } = viewAt(place.path);
  return (
    <TokenContext.Provider value={about.data?.token ?? { symbol: "", decimals: 18 }}>
      <AnnouncerContext.Provider value={announcer}>
        <a class="skip" href="#content">
          Skip to the content
        </a>
        <Header path={place.path} about={about.data} state={state} />
        <Notices about={about} state={state} />
        <main id="content" tabIndex={-1}>
          <Shown key={place.path} View={View} props={props} />
        </main>
        <Footer about={about.data} />
        <div ref={voice} class="unseen" role="status" aria-live="polite" />
      </AnnouncerContext.Provider>
    </TokenContext.Provider>
  );
}

function Shown({ View, props }: { View: ComponentType<Record<string, string>>; props: Record<string, string> }) {
  return <View {...props} />;
}
