/** Files of the order: each is checked against its CID on this server, and can be checked once more in the browser. */

import type { FileLink, OrderPage } from "../../api/types";
import { bytes } from "../../parts/format";
import { Empty, Panel } from "../../parts/layout";
import { Address, Hash } from "../../parts/values";
import { ModelVerifier } from "../../slots";

function Files({ files, prefix }: { files: FileLink[]; prefix: string }) {
  return (
    <ul class="files">
      {files.map(file => (
        <li key={file.name}>
          <a href={`/api/content/${encodeURIComponent(file.cid)}`} download={`${prefix}-${file.name}`}>
            {file.name}
          </a>
          <span class="quiet number">{file.size !== null ? bytes(file.size) : ""}</span>
          <Hash hex={file.cid} what="CID" head={8} tail={6} />
        </li>
      ))}
    </ul>
  );
}

export function FilesPanel({ order }: { order: OrderPage }) {
  const { manifest, models, test } = order;
  const shared: FileLink[] = [{ name: "order.json", cid: manifest.cid, size: null }];
  if (manifest.train) shared.push(manifest.train);
  if (test.cid) shared.push({ name: "test.safetensors", cid: test.cid, size: null });
  return (
    <Panel title="Verified downloads">
      <h3>Of the order</h3>
      {manifest.problem ? <p class="notice warn">{manifest.problem}</p> : null}
      <Files files={shared} prefix={`order-${order.oid}`} />
      {test.voided ? <p class="notice bad">The test set is void: nobody could show a part of it.</p> : null}
      {models.map(model => (
        <div key={model.index} class="model">
          <h3>
            Model {model.index} {order.winner === model.provider ? <span class="badge good">Winner</span> : null}
          </h3>
          <p>
            by <Address address={model.provider} />, root <Hash hex={model.root} what="model root" />
          </p>
          {model.problem ? <p class="notice warn">{model.problem}</p> : null}
          <Files files={model.files} prefix={`order-${order.oid}-model-${model.index}`} />
          <ModelVerifier oid={order.oid} model={model.index} />
        </div>
      ))}
      {models.length === 0 ? <Empty>No model is revealed.</Empty> : null}
    </Panel>
  );
}
