"""The other admins of the catalog."""

from typing import Any

from django.urls import reverse

from holdfast_catalog_notify import selectors, services
from storefront.forms.cards import EndCardForm as SureForm
from storefront.forms.catalog import AdminForm, ChangeAdminForm
from storefront.pages import AdminFormPage, AdminPage

MANAGE = "holdfast_catalog_notify.manage_admins"


class AdminsView(AdminPage):
    """All of them."""

    template_name = "storefront/catalog/admins.html"
    permission_required = MANAGE

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather them."""
        return super().get_context_data(admins=selectors.admins()[:200], **kwargs)


class NewAdminView(AdminFormPage):
    """Another admin, who may in the catalog what I may."""

    template_name = "storefront/catalog/admin_new.html"
    permission_required = MANAGE
    form_class = AdminForm
    done = "There is another admin. From now on changes are told to them, too."

    def run(self, form: Any) -> Any:
        """Create them."""
        return services.create_admin(actor_id=self.owner_id, **form.cleaned_data)

    def where_to(self, result: Any) -> str:
        """Return to the list."""
        return reverse("storefront:admins")


class OneAdmin(AdminFormPage):
    """Something that is done with one admin."""

    permission_required = MANAGE

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say whom it is about."""
        return super().get_context_data(admin=selectors.get_admin(self.kwargs["admin_id"]), **kwargs)

    def where_to(self, result: Any) -> str:
        """Return to the list."""
        return reverse("storefront:admins")


class AdminView(OneAdmin):
    """Change an admin."""

    template_name = "storefront/catalog/admin.html"
    form_class = ChangeAdminForm
    done = "Saved."

    def get_initial(self) -> dict[str, Any]:
        """Show what is there."""
        admin = selectors.get_admin(self.kwargs["admin_id"])
        return {"username": admin.username, "email": admin.email, "active": admin.is_active}

    def run(self, form: Any) -> Any:
        """Change what is different."""
        return services.change_admin(actor_id=self.owner_id, admin_id=self.kwargs["admin_id"], **form.changes)


class DeleteAdminView(OneAdmin):
    """Delete an admin, after a question."""

    template_name = "storefront/catalog/admin_delete.html"
    form_class = SureForm
    done = "Deleted. The name stays in the history."

    def run(self, form: Any) -> None:
        """Delete them."""
        services.delete_admin(actor_id=self.owner_id, admin_id=self.kwargs["admin_id"])
