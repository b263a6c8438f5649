// The organization of a scope is set once, when the caller is authenticated.
use kernel::OrganizationId;
use tenancy::Scope;

fn switch(mut scope: Scope, to: OrganizationId) -> Scope {
    scope.organization = to;
    scope
}

fn main() {}
