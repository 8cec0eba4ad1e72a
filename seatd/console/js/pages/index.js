// All pages: one entry each, in the order of the navigation. A page without `group` has no link of its own there.
//
// `action` is a row of the rights table (docs/administrators.md): who may not do it does not see the page.
// `load` brings the module, whose default export is a `Page` (js/core/page.js).

export const GROUPS = [
  { name: "overview", title: "" },
  { name: "licensing", title: "Licensing" },
  { name: "live", title: "Live" },
  { name: "administration", title: "Administration" },
];

export const ROUTES = [
  // -- overview --

  {
    path: "/dashboard",
    title: "Dashboard",
    icon: "bars",
    group: "overview",
    action: "usage.read",
    load: () => import("./dashboard.js"),
  },
  {
    path: "/activity",
    title: "Activity",
    icon: "activity",
    group: "overview",
    action: "usage.read",
    load: () => import("./activity.js"),
  },
  {
    path: "/usage",
    title: "Usage",
    icon: "table",
    group: "overview",
    action: "usage.read",
    load: () => import("./usage.js"),
  },

  // -- licensing --

  {
    path: "/licenses",
    title: "Licenses",
    icon: "key",
    group: "licensing",
    action: "licenses.read",
    load: () => import("./licenses.js"),
  },

  {
    path: "/customers",
    title: "Customers",
    icon: "building",
    group: "licensing",
    action: "customers.read",
    load: () => import("./customers.js"),
  },

  {
    path: "/customers/:customer",
    title: "Customer",
    action: "customers.read",
    load: () => import("./customer.js"),
  },

  {
    path: "/users",
    title: "Users",
    icon: "users",
    group: "licensing",
    action: "provisioning.read",
    load: () => import("./users.js"),
  },

  // -- live --

  {
    path: "/sessions",
    title: "Sessions",
    icon: "users",
    group: "live",
    action: "sessions.read",
    load: () => import("./sessions.js"),
  },
  {
    path: "/queue",
    title: "Queue",
    icon: "queue",
    group: "live",
    action: "sessions.read",
    load: () => import("./queue.js"),
  },
  {
    path: "/denials",
    title: "Denials",
    icon: "denied",
    group: "live",
    action: "denials.read",
    load: () => import("./denials.js"),
  },
  {
    path: "/events",
    title: "Events",
    icon: "activity",
    group: "live",
    action: "events.read",
    load: () => import("./events.js"),
  },

  // -- administration --

  {
    path: "/audit",
    title: "Audit",
    icon: "scroll",
    group: "administration",
    action: "audit.read",
    load: () => import("./audit.js"),
  },
  {
    path: "/administrators",
    title: "Administrators",
    icon: "shield",
    group: "administration",
    action: "administrators.read",
    load: () => import("./administrators.js"),
  },
  {
    path: "/tokens",
    title: "API tokens",
    icon: "key",
    group: "administration",
    action: "tokens.read",
    load: () => import("./tokens.js"),
  },
  {
    path: "/webhooks",
    title: "Webhooks",
    icon: "hook",
    group: "administration",
    action: "webhooks.read",
    load: () => import("./webhooks.js"),
  },
  {
    path: "/deployment",
    title: "Deployment",
    icon: "bars",
    group: "administration",
    action: "deployment.read",
    load: () => import("./deployment.js"),
  },
  {
    path: "/profile",
    title: "Profile",
    icon: "user",
    action: "profile",
    load: () => import("./profile.js"),
  },
];
