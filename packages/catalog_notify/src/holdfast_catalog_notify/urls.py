"""The routes of the catalog; a host mounts them: ``path("api/catalog/", include("holdfast_catalog_notify.urls"))``."""

from django.urls import path

from holdfast_catalog_notify.api.views import admins, catalog, notifications, reports
from holdfast_catalog_notify.states import RankingOf

app_name = "holdfast_catalog_notify"

urlpatterns = [
    path("products/", catalog.ProductsView.as_view(), name="products"),
    path("products/prices/", catalog.PricesView.as_view(), name="prices"),
    path("products/import/", catalog.ImportView.as_view(), name="import"),
    path("products/export/", catalog.ExportView.as_view(), name="export"),
    path("products/<uuid:product_id>/", catalog.ProductView.as_view(), name="product"),
    path("brands/", catalog.BrandsView.as_view(), name="brands"),
    path("brands/<uuid:brand_id>/", catalog.BrandView.as_view(), name="brand"),
    path("categories/", catalog.CategoriesView.as_view(), name="categories"),
    path("categories/<uuid:category_id>/", catalog.CategoryView.as_view(), name="category"),
    path("changes/", catalog.ChangesView.as_view(), name="changes"),
    path("notifications/", notifications.InboxView.as_view(), name="inbox"),
    path("notifications/unread/", notifications.UnreadView.as_view(), name="unread"),
    path("notifications/read/", notifications.ReadAllView.as_view(), name="read-all"),
    path("notifications/<uuid:notification_id>/read/", notifications.ReadView.as_view(), name="read"),
    path("notifications/channels/", notifications.PreferencesView.as_view(), name="channels"),
    path("notifications/channels/<slug:channel>/", notifications.PreferenceView.as_view(), name="channel"),
    path("notifications/muted-brands/", notifications.MutedBrandsView.as_view(), name="muted-brands"),
    path("notifications/muted-brands/<uuid:brand_id>/", notifications.MutedBrandView.as_view(), name="muted-brand"),
    path("unsubscribe/<str:token>/", notifications.UnsubscribeView.as_view(), name="unsubscribe"),
    path("deliveries/", notifications.DeliveriesView.as_view(), name="deliveries"),
    path("deliveries/<uuid:delivery_id>/replay/", notifications.ReplayView.as_view(), name="replay"),
    path("reports/views/", reports.SeriesView.as_view(), name="report-views"),
    path("reports/views.csv", reports.SeriesFileView.as_view(), name="report-views-csv"),
    path("reports/products/", reports.RankingView.as_view(of=RankingOf.PRODUCT), name="report-products"),
    path("reports/products.csv", reports.RankingFileView.as_view(of=RankingOf.PRODUCT), name="report-products-csv"),
    path("reports/brands/", reports.RankingView.as_view(of=RankingOf.BRAND), name="report-brands"),
    path("reports/brands.csv", reports.RankingFileView.as_view(of=RankingOf.BRAND), name="report-brands-csv"),
    path("reports/categories/", reports.RankingView.as_view(of=RankingOf.CATEGORY), name="report-categories"),
    path(
        "reports/categories.csv", reports.RankingFileView.as_view(of=RankingOf.CATEGORY), name="report-categories-csv"
    ),
    path("admins/", admins.AdminsView.as_view(), name="admins"),
    path("admins/<str:admin_id>/", admins.AdminView.as_view(), name="admin"),
    path("admins/<str:admin_id>/deactivate/", admins.DeactivateView.as_view(), name="deactivate"),
]
