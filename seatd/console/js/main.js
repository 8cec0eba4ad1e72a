// Where the console begins.

import { router } from "./core/router.js";
import { shell } from "./core/shell.js";
import { ROUTES } from "./pages/index.js";

router.start(ROUTES);
await shell.start(document.body);
