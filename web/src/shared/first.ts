// Runs before the page is painted, so that a remembered theme does not flash up as the other one.

import { applyTheme } from "./theme.ts";

applyTheme();
